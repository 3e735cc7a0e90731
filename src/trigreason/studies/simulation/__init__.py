"""Latency and cost of recorded runs under another deployment."""

from trigreason.studies.simulation.deployment import Deployment, Server
from trigreason.studies.simulation.deployment_files import DEPLOYMENTS, read_deployment
from trigreason.studies.simulation.simulate import Simulated, simulate

__all__ = [
    "DEPLOYMENTS",
    "Deployment",
    "Server",
    "Simulated",
    "read_deployment",
    "simulate",
]
