"""TensorFlow.js graph models, turned into ONNX without TensorFlow."""
