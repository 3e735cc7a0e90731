"""All methods on a pair of real language models: accuracy, tokens and seconds."""
