"""What Stagewright knows, one package per subject; they meet only at each other's ``api``."""
