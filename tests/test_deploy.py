"""What ``deploy/`` says: that its files fit together, as far as that shows without Docker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from trigreason.configuration import Configuration, read_configuration
from trigreason.configuration import gateway as configured
from trigreason.gateway.admission import Admission
from trigreason.gateway.storage.place import state_folder
from trigreason.gateway.telemetry import Telemetry

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SECRETS = {"POSTGRES_PASSWORD": "c0ffee", "GRAFANA_PASSWORD": "admin"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def compose(environ: dict[str, str]) -> Any:
    """``compose.yaml`` with its variables put in, as ``docker compose`` does it."""

    def value(match: re.Match[str]) -> str:
        name, kind, text = match.groups()
        if name not in environ:
            assert kind == "-", f"{name} must be set: {text}"
            return text
        return environ[name]

    lines = (DEPLOY / "compose.yaml").read_text().splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return yaml.safe_load(VARIABLE.sub(value, code))


SERVICES: dict[str, Any] = compose(SECRETS)["services"]
GATEWAY: dict[str, Any] = SERVICES["gateway"]
PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/trigreason.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
UNIT = (DEPLOY / "trigreason.service").read_text()


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read_configuration(DEPLOY / "trigreason.toml", GATEWAY["environment"])


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# --- Containers -------------------------------------------------------------------------------


def test_docker_accepts_it() -> None:
    docker = tool("docker")
    if subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no compose plugin")
    command = [docker, "compose", "--file", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(command, env=SECRETS, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SECRETS)
def test_nothing_starts_without_its_secrets(name: str) -> None:
    with pytest.raises(AssertionError, match=name):
        compose({key: value for key, value in SECRETS.items() if key != name})


def mounts() -> Iterator[tuple[str, str]]:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            yield source, target


def test_what_is_mounted_exists() -> None:
    named = set(compose(SECRETS)["volumes"])
    for source, _ in mounts():
        assert (DEPLOY / source).exists() if source.startswith("./") else source in named


def test_the_gateway_reads_the_file_that_is_mounted() -> None:
    assert ("./trigreason.toml", GATEWAY["environment"]["TRIGREASON_CONFIG"]) in set(mounts())


def test_what_must_outlast_the_container_is_on_a_volume() -> None:
    kept = {target for source, target in mounts() if not source.startswith("./")}
    image = (DEPLOY / "Dockerfile").read_text()
    assert state_folder({"XDG_STATE_HOME": "/var/lib"}) == Path("/var/lib/trigreason")
    assert "XDG_STATE_HOME=/var/lib\n" in image
    assert "XDG_STATE_HOME=/var/lib\n" in UNIT
    assert "/var/lib/trigreason" in kept


def test_the_configuration_can_be_used(configuration: Configuration) -> None:
    settings = configuration.settings
    assert settings.gateway.pairs == (settings.default_pair,)
    assert set(settings.pairs) == {settings.default_pair}


def test_ports_agree(configuration: Configuration) -> None:
    port = configuration.settings.gateway.port
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert [each.split(":")[-2:] for each in GATEWAY["ports"]] == [[str(port)] * 2]
    assert f"EXPOSE {port}\n" in dockerfile
    assert f"http://127.0.0.1:{port}/healthz" in dockerfile


@pytest.mark.parametrize("engine", ["small", "large"])
def test_models_are_where_they_are_looked_for(configuration: Configuration, engine: str) -> None:
    settings = configuration.settings.engines[engine]
    place = urlsplit(str(settings.url))
    assert place.hostname is not None
    command = SERVICES[place.hostname]["command"]
    assert f"--port={place.port}" in command
    assert f"--model={settings.model}" in command
    # what docs/engines.md asks of vLLM
    assert {"--enable-prompt-tokens-details", "--enable-tokenizer-info-endpoint"} <= {*command}


def test_there_is_room_for_what_a_run_may_write(configuration: Configuration) -> None:
    budget = configuration.settings.pairs["qwen"].budget
    for name in ("srm", "lrm"):
        (room,) = (each for each in SERVICES[name]["command"] if "--max-model-len" in each)
        assert int(room.split("=")[1]) > budget.thinking_tokens + budget.answer_tokens


def test_the_database_is_the_one_that_is_started(configuration: Configuration) -> None:
    variable = configuration.settings.gateway.database_env
    assert variable is not None
    url = make_url(GATEWAY["environment"][variable])
    started = SERVICES["postgres"]["environment"]
    assert url.host == "postgres"
    assert url.get_dialect().driver == "psycopg"
    assert (url.username, url.password, url.database) == (
        started["POSTGRES_USER"],
        started["POSTGRES_PASSWORD"],
        started["POSTGRES_DB"],
    )


def test_a_stop_waits_for_running_requests(configuration: Configuration) -> None:
    longest = configuration.settings.gateway.limits.shutdown_seconds
    assert seconds(GATEWAY["stop_grace_period"]) > longest
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(patience) > longest
    assert configured.Limits().shutdown_seconds <= longest


def test_only_the_gateway_and_the_dashboard_are_reached_from_outside() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert set(published) == {"gateway", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_what_the_image_is_made_of_exists_and_is_sent() -> None:
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M)
    sources = [source for line in copied for source in line.split()]
    assert "src" in sources
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in sent


# --- Metrics ----------------------------------------------------------------------------------


def test_the_right_ports_are_scraped(configuration: Configuration) -> None:
    targets = {
        target
        for job in PROMETHEUS["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    }
    engines = configuration.settings.engines.values()
    expected = {urlsplit(str(each.url)).netloc for each in engines}
    assert targets == expected | {f"gateway:{configuration.settings.gateway.port}"}


def test_prometheus_accepts_its_configuration() -> None:
    command = [tool("promtool"), "check", "config", str(DEPLOY / "prometheus.yml")]
    subprocess.run(command, check=True)


def metrics_that_exist() -> set[str]:
    """Every name that the gateway's page can have a sample of."""
    telemetry = Telemetry(
        configured.TelemetrySettings(), Admission(1, 1), lambda: (), lambda: (0, 0)
    )
    body, _ = telemetry.metrics_page()
    names = set()
    for family in text_string_to_metric_families(body.decode()):
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        names |= {family.name + each for each in suffixes.get(family.type, [""])}
    return names


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:trigreason|process)_\w+", expression))


def test_every_metric_on_the_dashboard_exists() -> None:
    assert EXPRESSIONS
    for expression in EXPRESSIONS:
        assert metrics_in(expression)
        assert metrics_in(expression) <= metrics_that_exist(), expression


def test_every_metric_of_the_gateway_is_on_the_dashboard() -> None:
    shown = {each for expression in EXPRESSIONS for each in metrics_in(expression)}
    own = {name for name in metrics_that_exist() if name.startswith("trigreason_")}
    assert {each for each in own if not each.endswith(("_sum", "_count"))} == {
        each for each in shown if each.startswith("trigreason_")
    }


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["id"]))
def test_every_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "prometheus"
    assert all(target["legendFormat"] for target in panel["targets"])


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) < 24


def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    promtool = tool("promtool")
    plain = [
        each.replace("$__rate_interval", "5m").replace("$__range", "1h") for each in EXPRESSIONS
    ]
    rules = [{"record": f"rule:{number}", "expr": expr} for number, expr in enumerate(plain)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    subprocess.run([promtool, "check", "rules", str(file)], check=True)


def test_grafana_finds_its_data_and_its_dashboard() -> None:
    folder = DEPLOY / "grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards/trigreason.yaml").read_text())["providers"]
    assert urlsplit(source["url"]).hostname in SERVICES
    assert source["uid"] == "prometheus"
    assert ("./grafana/dashboards", provider["options"]["path"]) in set(mounts())


# --- systemd ----------------------------------------------------------------------------------


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "trigreason.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT, flags=re.MULTILINE))
    verify = [tool("systemd-analyze"), "verify", str(unit)]
    done = subprocess.run(verify, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rate = [tool("systemd-analyze"), "security", "--offline=yes", "--threshold=20", str(unit)]
    assert subprocess.run(rate, capture_output=True).returncode == 0, "exposed by more than 2.0"


def test_the_unit_stops_gently() -> None:
    assert "\nKillSignal=SIGTERM\n" in UNIT
    assert "\nEnvironmentFile=" in UNIT
