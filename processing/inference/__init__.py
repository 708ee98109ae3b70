"""Bundles, and the engine that runs them. The only importer of OpenVINO.

OpenVINO and NNCF report to their maker unless told not to, and wait for the network to do so.
Hiding the module that they send with, before either is loaded, switches that off for the process.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python's "cannot be imported"
