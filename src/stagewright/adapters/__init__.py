"""How Stagewright reaches others: each package implements ports of the contexts."""
