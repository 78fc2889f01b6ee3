"""Entry points: settings, wiring, main. No decisions here."""
