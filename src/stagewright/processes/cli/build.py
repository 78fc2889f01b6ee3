"""What this build is. A constant, because asking the package's metadata costs a third of the start-up budget."""

from stagewright import __version__

VERSION = __version__
API = "/api/v1"
API_VERSION = "1.0"  # of the server this client was made with
