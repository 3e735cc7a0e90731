# The project's habits. `make check` is what a change must pass.
.PHONY: check test slow fmt bench

check:
	uv run ruff check
	uv run ruff format --check
	uv run mypy
	uv run pytest -q -m "not slow"

test:
	uv run pytest -q -m "not slow"

slow:
	uv run pytest -q -m slow

fmt:
	uv run ruff check --fix
	uv run ruff format

# With the published items: TRIGREASON_DATA=folder make bench
bench:
	uv run python -m bench.bundled
	uv run python -m bench.handover
	uv run python -m bench.loop_cost
