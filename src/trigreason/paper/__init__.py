"""The paper, item by item: every table and figure, on anyone's pair."""
