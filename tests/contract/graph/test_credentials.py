"""How Reclaim proves itself to Entra, with the real msal: by certificate, and as two applications."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from reclaim.connectors.graph import GraphConnection, Registration, connect, registration
from reclaim.domain.ids import PersonId, ProductId
from reclaim.errors import DirectoryError, InvalidRequest, WriteBackError
from tests.certificates import Pair, make_pair
from tests.contract.graph.practice import Stage, held_by
from tests.contract.graph.support import WRITE_ID, CountedTokens

READS = ["User.Read.All", "AuditLog.Read.All", "LicenseAssignment.Read.All", "Group.Read.All"]

Connect = Callable[..., GraphConnection]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return make_pair()


@pytest.fixture
async def connected(stage: Stage) -> AsyncIterator[Connect]:
    made: list[GraphConnection] = []

    def make(reader: Registration, writer: Registration | None = None) -> GraphConnection:
        tenant = stage.tenant
        found = connect(
            login_url=tenant.login_url,
            graph_url=tenant.graph_url,
            tenant_id=tenant.tenant_id,
            reader=reader,
            writer=writer,
            ca_file=tenant.ca_file,
            clock=stage.clock,
            tokens=CountedTokens(),
        )
        made.append(found)
        return found

    yield make
    for one in made:
        await one.aclose()


def with_certificate(stage: Stage, pair: Pair, folder: Path) -> Registration:
    file = folder / "reclaim.pem"
    file.write_bytes(pair.pem())
    return registration(stage.tenant.client_id, None, file)


async def test_a_certificate_stands_in_place_of_the_secret(
    stage: Stage,
    connected: Connect,
    pair: Pair,
    tmp_path: Path,
) -> None:
    await stage.control("POST", "/certificates", {"pem": pair.public_pem()})

    page = await connected(with_certificate(stage, pair, tmp_path)).directory.skus()

    assert page.rows


async def test_error_401_a_certificate_that_was_not_uploaded_names_what_to_do(
    stage: Stage,
    connected: Connect,
    pair: Pair,
    tmp_path: Path,
) -> None:
    with pytest.raises(DirectoryError, match=r"AADSTS700027.*Upload its public part") as raised:
        await connected(with_certificate(stage, pair, tmp_path)).directory.skus()

    assert raised.value.permanent


def test_a_file_that_is_no_certificate_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate", encoding="utf-8")

    with pytest.raises(InvalidRequest, match="RECLAIM_WRITER_CLIENT_CERTIFICATE must be a PEM file"):
        registration("id", None, tmp_path / "no.pem", prefix="RECLAIM_WRITER_CLIENT")


async def test_a_reader_and_a_writer_each_do_what_they_may_and_nothing_else(stage: Stage, connected: Connect) -> None:
    await stage.control("POST", "/permissions", {"granted": READS})
    tenant = stage.tenant
    reader = registration(tenant.client_id, SecretStr(tenant.client_secret), None)
    writer = registration(
        tenant.writer_client_id, SecretStr(tenant.writer_client_secret), None, prefix="RECLAIM_WRITER_CLIENT"
    )
    [(person, product)] = await held_by(stage, "idle_direct")
    both, alone = connected(reader, writer), connected(reader)

    with pytest.raises(WriteBackError, match=r"LicenseAssignment\.ReadWrite\.All") as refused:
        await alone.writer.remove_direct(person, product, client_request_id=WRITE_ID)
    await both.writer.remove_direct(person, product, client_request_id=WRITE_ID)
    back = await both.writer.read_back(person, product)

    assert refused.value.permanent
    assert back.seat is None
    with pytest.raises(DirectoryError, match=r"User\.Read\.All"):
        await connected(writer).directory.people(None)


async def test_the_writer_s_wrong_secret_names_the_writer_s_setting(stage: Stage, connected: Connect) -> None:
    reader = registration(stage.tenant.client_id, SecretStr(stage.tenant.client_secret), None)
    writer = registration(stage.tenant.writer_client_id, SecretStr("wrong"), None, prefix="RECLAIM_WRITER_CLIENT")

    with pytest.raises(WriteBackError, match="RECLAIM_WRITER_CLIENT_SECRET") as raised:
        await connected(reader, writer).writer.remove_direct(
            PersonId("87d349ed-44d7-43e1-9a83-5f2406dee5bd"),
            ProductId("c5928f49-12ba-48f7-ada3-0d743a3601d5"),
            client_request_id=WRITE_ID,
        )

    assert (raised.value.permanent, raised.value.maybe_applied) == (True, False)
