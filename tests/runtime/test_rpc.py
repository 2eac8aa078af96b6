"""Calls of remote procedures from definition to output, through the runtime and against real servers."""

from servers.grpc_shop import grpc_shop


async def test_a_grpc_call(platform):
    async with grpc_shop() as shop:
        service = {"name": "shop.v1.Orders", "host": "localhost", "port": shop.port}
        proto = {"endpoint": "{protos}/shop/v1/orders.proto".replace("{protos}", shop.protos)}
        place = {
            "proto": proto,
            "service": service,
            "method": "Place",
            "arguments": {"orderId": "${ .id }", "total": {"currency": "EUR", "minorUnits": "${ .cents }"}},
        }
        fail = {"proto": proto, "service": service, "method": "Fail", "arguments": {"code": "NOT_FOUND"}}
        do = [
            {"place": {"call": "grpc", "with": place, "output": {"as": "${ .total }"}}},
            {
                "tryFail": {
                    "try": [{"fail": {"call": "grpc", "with": fail}}],
                    "catch": {
                        "errors": {"with": {"type": "https://serverlessworkflow.io/spec/1.0.0/errors/communication", "status": 404}},
                        "as": "error",
                        "do": [{"tell": {"set": {"total": "${ . }", "title": "${ $error.title }", "at": "${ $error.instance }"}}}],
                    },
                }
            },
        ]  # fmt: skip
        view = await platform.run("grpc", do, {"id": "o-1", "cents": 990})
        assert view.error is None
        assert view.output == {
            "total": {"currency": "EUR", "minorUnits": "990"},
            "title": "NOT_FOUND",
            "at": "/do/1/tryFail/try/0/fail",
        }
        assert [order.order_id for order in shop.placed] == ["o-1"]
