# The project's habits. `make check` is what a change must pass.
.PHONY: check test slow conformance fmt bench

check:
	uv run --group dev ruff check
	uv run --group dev ruff format --check
	uv run --group dev mypy
	uv run --group dev pytest -q -m "not slow"

test:
	uv run --group dev pytest -q -m "not slow"

slow:
	uv run --group dev pytest -q -n 0 -m slow

# Against real servers: TRIGREASON_VLLM=script make conformance; without it llama.cpp alone
conformance:
	uv run --group dev pytest -q -n 0 -rs tests/conformance

fmt:
	uv run --group dev ruff check --fix
	uv run --group dev ruff format

# With the published items: TRIGREASON_DATA=folder make bench
bench:
	uv run --group dev python -m bench.bundled
	uv run --group dev python -m bench.handover
	uv run --group dev python -m bench.loop_cost
	uv run --group dev python -m bench.edge_cloud
	uv run --group dev python -m bench.concurrency
	uv run --group dev python -m bench.gateway
