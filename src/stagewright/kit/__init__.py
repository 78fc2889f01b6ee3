"""What any program needs: errors, database, journal, loops, crypto. Knows nothing of Stagewright's words."""
