"""WF7: whole histories of a repository, told to the platform without loss and with every loss, end in the same runs."""
