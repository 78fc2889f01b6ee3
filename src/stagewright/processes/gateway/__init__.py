"""The gateway: REST for people and the command line, and the door for webhooks."""
