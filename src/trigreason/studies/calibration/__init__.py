"""Thresholds for a pair: chosen without labels from its SRM's runs, or searched for with them."""
