"""What the commands of `stack` do, without a server: the engine is loaded when one of them runs."""
