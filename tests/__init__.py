"""Tests: unit, integration, contract, e2e, bench."""
