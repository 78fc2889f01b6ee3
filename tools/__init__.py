"""Programs for people who work on Stagewright; nothing here is shipped."""
