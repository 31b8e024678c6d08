"""Microsoft's own clients, at work in a tenant that is not Microsoft's.

Reads the line that `emulator serve --tls --format json` prints, signs in with msal and with
azure-identity, works through msgraph-sdk, and prints as JSON what it saw. Certificates are
verified: what the line says is the tenant's certificate is trusted, nothing else.
"""

import asyncio
import json
import ssl
import sys
import tempfile

import httpx
import msal
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import GraphClientFactory, PageIterator

GRAPH = "https://graph.microsoft.com/.default"


def signed_in_by_msal(tenant, trusted):
    """An application by its secret, and a person by a refresh token, whose account is then known."""
    app = msal.ConfidentialClientApplication(
        tenant["clientId"],
        client_credential=tenant["clientSecret"],
        authority=f"{tenant['url']}/{tenant['tenant']}",
        instance_discovery=False,
        verify=trusted,
    )
    alone = app.acquire_token_for_client([GRAPH])
    person = app.acquire_token_by_refresh_token(
        tenant["refreshToken"], ["https://graph.microsoft.com/User.Read.All"]
    )
    wrong = msal.ConfidentialClientApplication(
        tenant["clientId"],
        client_credential="wrong",
        authority=f"{tenant['url']}/{tenant['tenant']}",
        instance_discovery=False,
        verify=trusted,
    ).acquire_token_for_client([GRAPH])
    return {
        "application": alone.get("token_type"),
        "person": person.get("id_token_claims", {}).get("preferred_username"),
        "accounts": [account["username"] for account in app.get_accounts()],
        "wrong": wrong.get("error_codes"),
    }


def graph(tenant, trusted):
    credential = ClientSecretCredential(
        tenant["tenant"],
        tenant["clientId"],
        tenant["clientSecret"],
        authority=tenant["url"],
        disable_instance_discovery=True,
        transport=RequestsTransport(connection_verify=trusted),
    )
    host = tenant["url"].removeprefix("https://")
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[GRAPH], allowed_hosts=[host, host.split(":")[0]]
    )
    context = ssl.create_default_context(cafile=trusted)
    # What newer Pythons ask of certificates by themselves.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    client = httpx.AsyncClient(
        verify=context, trust_env=False, base_url=f"{tenant['url']}/v1.0", http2=True
    )
    client = GraphClientFactory.create_with_default_middleware(
        client=client, host=tenant["url"]
    )
    adapter = GraphRequestAdapter(provider, client)
    adapter.base_url = f"{tenant['url']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def paged(client):
    """All users by pages of four, as the SDK's own iterator follows them."""
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        top=4, select=["id", "displayName", "userPrincipalName"]
    )
    configuration = UsersRequestBuilder.UsersRequestBuilderGetRequestConfiguration(
        query_parameters=query
    )
    first = await client.users.get(request_configuration=configuration)
    names, pages, page = [], 1, first
    while page.odata_next_link:
        page = await client.users.with_url(page.odata_next_link).get()
        pages += 1

    def keep(user):
        names.append(user.user_principal_name)
        return True

    await PageIterator(first, client.request_adapter).iterate(keep)
    return {"first": len(first.value), "pages": pages, "names": sorted(names)}


async def changed(client):
    """A user is made, found, changed, and deleted; what changed since is told."""
    before = await client.users.delta.get()
    made = await client.users.post(
        User(
            account_enabled=True,
            display_name="Adele Vance",
            mail_nickname="adele",
            user_principal_name="adele@fabrikam.example",
            password_profile=PasswordProfile(
                force_change_password_next_sign_in=True, password="Passing-1234!"
            ),
        )
    )
    await client.users.by_user_id(made.id).patch(User(job_title="Auditor"))
    found = await client.users.by_user_id("adele@fabrikam.example").get()
    since = await client.users.delta.with_url(before.odata_delta_link).get()
    await client.users.by_user_id(made.id).delete()
    refused = None
    try:
        await client.users.by_user_id(made.id).get()
    except Exception as error:  # the SDK's own error, by its status and code
        refused = [error.response_status_code, error.error.code]
    return {
        "same": found.id == made.id,
        "name": found.display_name,
        "moved": [user.display_name for user in since.value],
        "refused": refused,
    }


async def main():
    tenant = json.load(sys.stdin)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as certificate:
        certificate.write(tenant["certificate"])
        certificate.flush()
        client = graph(tenant, certificate.name)
        groups = await client.groups.get()
        said = {
            "msal": signed_in_by_msal(tenant, certificate.name),
            "users": await paged(client),
            "groups": sorted(group.display_name for group in groups.value),
            "changed": await changed(client),
        }
    json.dump(said, sys.stdout)


asyncio.run(main())
