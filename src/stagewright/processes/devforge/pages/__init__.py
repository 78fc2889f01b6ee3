"""A few plain HTML pages: enough to label an issue, talk on it, and read and review a pull request. No scripts."""
