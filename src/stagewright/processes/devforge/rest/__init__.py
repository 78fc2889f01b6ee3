"""The REST door: the part of GitHub's API that Stagewright uses, under ``/api``."""
