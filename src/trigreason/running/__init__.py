"""One run of a pair, from the question to the answer.

loop        drives a method over two engines, and tells what happens
state       what the run has come to: what stands, who holds the pen, what is left to spend
writing     what one author is writing: the step under way, and the answer
asking      the requests that a run makes of its models
retrying    a stream that outlives failures, over as many requests as backoff allows
requests    one request: sent, timed, counted, entered into the trace
ahead       what is asked of the LRM before it is needed; hedge is a rewrite begun early
"""
