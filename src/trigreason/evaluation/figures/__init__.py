"""The look of figures in this project, and figures that several parts of it draw."""
