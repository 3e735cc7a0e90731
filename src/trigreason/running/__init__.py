"""One run of a pair, from the question to the answer.

loop        drives a method over two engines, and reports events
state       the state of the run: standing steps, whose turn it is, what is left of the budget
writing     the text that one author is writing: the unfinished step, and the answer
asking      builds the requests of a run
retrying    a stream that survives failures, over as many requests as backoff allows
requests    one request: sent, timed, counted, entered into the trace
ahead       requests to the LRM before it is needed; hedge is a rewrite begun early
"""
