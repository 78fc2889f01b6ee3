"""One module per noun; each command is options, one request, one presentation."""
