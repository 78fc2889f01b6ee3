"""The control plane: listeners for workloads only. gRPC with `run` tokens, the model relay with `model` tokens."""
