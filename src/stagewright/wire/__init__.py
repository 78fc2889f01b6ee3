"""Wire formats, generated from ``proto/``; imports nothing of Stagewright."""
