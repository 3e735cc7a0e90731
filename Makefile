# The project's habits. `make check` is what a change must pass.
.PHONY: check test slow conformance fmt bench

check:
	uv run ruff check
	uv run ruff format --check
	uv run mypy
	uv run pytest -q -m "not slow"

test:
	uv run pytest -q -m "not slow"

slow:
	uv run pytest -q -n 0 -m slow

# Against real servers: TRIGREASON_VLLM=script make conformance; without it llama.cpp alone
conformance:
	uv run pytest -q -n 0 -rs tests/conformance

fmt:
	uv run ruff check --fix
	uv run ruff format

# With the published items: TRIGREASON_DATA=folder make bench
bench:
	uv run python -m bench.bundled
	uv run python -m bench.handover
	uv run python -m bench.loop_cost
	uv run python -m bench.edge_cloud
	uv run python -m bench.concurrency
	uv run python -m bench.gateway
