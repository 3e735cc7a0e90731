"""Thresholds for a pair: chosen from its SRM's runs without labels, or searched with labels."""
