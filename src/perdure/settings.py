"""Settings from ``PERDURE_*`` environment variables, a ``.env`` file and flags, in rising order."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting of the platform, with its default. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="PERDURE_", env_file=".env", extra="ignore")

    database_url: str | None = None
    broker_url: str | None = None
    redis_url: str | None = None
    replica_url: str | None = None
    """A read replica of the database, for reads that say `consistency=eventual`."""
    public_url: str | None = None
    api_url: str = "http://127.0.0.1:8080"
    api_key: str | None = None
    run_shell: bool | None = None
    run_script: bool | None = None
    run_container: bool | None = None
    run_container_volumes: str = ""
    """Directories of the host that containers may see, on Kubernetes persistent volume claims, separated by commas."""
    container_engine: Literal["socket", "kubernetes"] = "socket"
    """What runs containers: Docker or Podman by their socket, or the Jobs of a cluster."""
    container_socket: str | None = None
    kubernetes_namespace: str | None = None
    kubernetes_config: str | None = None
    """A kubeconfig; by default the worker runs in the cluster itself."""
    run_node: str = "node"
    """The command that runs JavaScript."""
    run_python: str | None = None
    """The command that runs Python scripts; by default the Python that runs the worker."""
    egress_allow: Annotated[str, NoDecode] = ""
    """Networks that outgoing calls may reach beyond public ones, separated by commas."""
    call_limits: str = ""
    """How often and how many at once calls may go to which host: see `perdure.limits`."""
    grpc_plaintext: Annotated[str, NoDecode] = "127.0.0.0/8,::1"
    """Networks where gRPC calls go without TLS to servers that speak none, separated by commas."""
    retention: str = "P90D"
    lifecycle_events: Literal["all", "process", "none"] = "all"
    """Which lifecycle events leave the platform, where there is a broker or a webhook to take them."""
    encryption_key: str | None = None
    """32 bytes in base64; seals the secrets of webhooks."""
    webhook_retry_seconds: float = Field(default=5.0, gt=0, le=3600)
    webhook_timeout_seconds: float = Field(default=15.0, gt=0, le=300)
    webhook_disable_seconds: float = Field(default=3 * 86400.0, ge=0)
    log_level: str = "info"
    log_format: str = "auto"
    """``json``, ``console``, or ``auto``: console on a terminal."""

    database_pool_max: int = Field(default=10, ge=2, le=200)
    requests_concurrency_max: int = Field(default=500, ge=1)
    """Requests that one API works on at a time, without those that wait for a process or follow one."""
    requests_bytes_max: int = Field(default=64 * 1024 * 1024, ge=1024)
    """Of the bodies of all requests that one API works on."""
    request_body_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    definition_bytes_max: int = Field(default=1024 * 1024, ge=1024, le=4 * 1024 * 1024)
    event_bytes_max: int = Field(default=1024 * 1024, ge=1024)
    """Of one CloudEvent, in or out."""
    payload_bytes_max: int = Field(default=32 * 1024 * 1024, ge=1024)
    """Of one value that a process keeps."""
    payload_depth_max: int = Field(default=100, ge=8)
    loop_items_max: int = Field(default=1_000_000, ge=1)
    map_items_max: int = Field(default=100_000, ge=1)
    fork_branches_max: int = Field(default=10_000, ge=1)
    listen_events_max: int = Field(default=100_000, ge=1)
    """Events or messages that one task may consume."""
    history_lines_max: int = Field(default=10_000_000, ge=100)
    """Of one process."""
    nesting_max: int = Field(default=50, ge=1)
    """How deep processes may be nested that wait for each other."""
    processes_max: int = Field(default=5_000_000, ge=1)
    """Processes of one tenant that have not ended."""
    backlog_max: int = Field(default=200_000, ge=1)
    """Facts that wait to be taken in by workers."""
    response_body_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    resource_bytes_max: int = Field(default=4 * 1024 * 1024, ge=1024)
    run_seconds_max: float = Field(default=600, gt=0)
    run_memory_bytes_max: int = Field(default=1024 * 1024 * 1024, ge=16 * 1024 * 1024)
    run_output_bytes_max: int = Field(default=1024 * 1024, ge=1024)
    run_concurrency_max: int = Field(default=8, ge=1)
    calls_concurrency_max: int = Field(default=100, ge=1)
    tenant_calls_max: int | None = Field(default=None, ge=1)
    """Calls of one tenant that all workers together perform at a time."""
    subscriptions_max: int = Field(default=500, ge=1)
    calls_waiting_max: int = Field(default=1000, ge=0)
    """Calls that wait, beyond those, for a host with a limit."""
    call_lease_seconds: float = Field(default=15, ge=1)
    call_timeout_seconds: float = Field(default=30, gt=0)
    job_lease_seconds: float = Field(default=60, ge=0.1, le=86_400)
    job_attempts_max: int = Field(default=5, ge=1, le=1_000)
    step_batch_max: int = Field(default=200, ge=1, le=2000)
    step_activities_max: int = Field(default=200, ge=1)
    expression_seconds_max: float = Field(default=2.0, gt=0)
    expression_memory_bytes_max: int = Field(default=512 * 1024 * 1024, ge=64 * 1024 * 1024)
    expression_workers: int = Field(default=2, ge=1)
    sweep_seconds: float = Field(default=2.0, gt=0)
    stop_seconds_max: float = Field(default=8.0, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file wins over variables, which is not the library's order."""
        return init_settings, dotenv_settings, env_settings
