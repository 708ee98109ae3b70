"""From the bytes of a picture to what is in it, on OpenVINO or ONNX Runtime."""
