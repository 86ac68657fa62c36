"""A collector of traces by OpenTelemetry's own definition of them (PyPI: opentelemetry-proto): what is no
ExportTraceServiceRequest in its JSON is refused with 400. Tells its port first, and then each span as a line of JSON.
Of the first requests it refuses as many with 503 as its argument says."""

import http.server
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

busy = int(sys.argv[1])


def word(attribute):
    kind = attribute.value.WhichOneof("value")
    return getattr(attribute.value, kind)


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global busy
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/json":
            status = 404
        elif busy > 0:
            busy -= 1
            status = 503
        else:
            status = self.take(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def take(self, body):
        # In JSON ids are hexadecimal, where protobuf's own form of bytes is Base64 (OTLP/HTTP).
        said = json.loads(body)
        try:
            for resource in said["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        ids = {name: bytes.fromhex(span.pop(name)) for name in ("traceId", "spanId", "parentSpanId")}
                        span["attributes"] = span.get("attributes", [])
                        message = json_format.ParseDict(span, Span())
                        assert len(ids["traceId"]) == 16 and len(ids["spanId"]) == 8 and len(ids["parentSpanId"]) in (0, 8)
                        print(json.dumps({
                            "trace": ids["traceId"].hex(), "id": ids["spanId"].hex(), "parent": ids["parentSpanId"].hex(),
                            "name": message.name, "kind": Span.SpanKind.Name(message.kind), "code": message.status.code,
                            "ms": (message.end_time_unix_nano - message.start_time_unix_nano) // 1_000_000,
                            "words": {a.key: word(a) for a in message.attributes},
                        }), flush=True)
            json_format.ParseDict(said, ExportTraceServiceRequest())
        except (AssertionError, KeyError, ValueError, json_format.ParseError) as wrong:
            print(json.dumps({"refused": repr(wrong)}), flush=True)
            return 400
        return 200

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
