"""The Open Inference Protocol (KServe V2): tensors in, tensors out, over REST and gRPC."""
