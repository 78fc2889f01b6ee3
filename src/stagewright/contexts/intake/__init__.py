"""Webhook deliveries: keep, parse, decide, hand on; and the scan that repairs what was lost."""
