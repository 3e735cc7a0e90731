"""Every table and figure of the paper, measured on any pair."""
