"""The worker: runs the reconcilers with forge and cluster credentials. No listener but health and figures."""
