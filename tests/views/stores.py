"""What databases read: SQLite, DuckDB and hyparquet, jq."""
import json

from harness import check, equal, node, node_modules, said
from traced import need_programs


def sqlite(views):
    need_programs(["sqlite3"])
    file = views.export("sqlite")

    def query(text):
        return json.loads(said(["sqlite3", "-json", file, text]) or "[]")

    check("the database is whole", said(["sqlite3", file, "PRAGMA integrity_check"]).strip() == "ok")
    rows = query("SELECT name, calls, errors, CAST(ns AS INTEGER) AS ns, bytes FROM summary WHERE calls")
    for field, column in (("calls", "calls"), ("errors", "errors"), ("ns_total", "ns"), ("bytes", "bytes")):
        equal(f"SQLite's {field}", views.column(field), {row["name"]: row[column] for row in rows if row[column]})
    for row in query("SELECT * FROM latency"):
        ours = views.rows[row["name"]]
        for theirs, mine in (("p50", "ns_p50"), ("p90", "ns_p90"), ("p99", "ns_p99"), ("p999", "ns_p999")):
            check(f"{theirs} of {row['name']} is within 1 %", row[theirs] <= ours[mine] <= row[theirs] * 1.01 + 1,
                  (row, ours))
    failures = query("SELECT error, sum(calls) AS calls FROM failures GROUP BY error")
    equal("SQLite's failures", views.summary["total"]["errors_by"], {row["error"]: row["calls"] for row in failures})
    check("a name that is no UTF-8 is readable", query("SELECT 1 FROM call WHERE path LIKE '%no utf8 \\xff\\xfe'"))
    plan = said(["sqlite3", file, "EXPLAIN QUERY PLAN SELECT sum(ns) FROM call WHERE name='read'"])
    check("the plan uses an index", "USING" in plan, plan)
    check("children are known", query("SELECT 1 FROM life WHERE kind='process'"))


def parquet(views):
    folder = node_modules("@duckdb/node-api", "hyparquet", "hyparquet-compressors")
    file = views.export("parquet")
    duck, hypa, types, remarks = node(folder, """
import { DuckDBInstance } from "@duckdb/node-api"; import * as h from "hyparquet";
import { compressors } from "hyparquet-compressors"; import fs from "fs";
const file = process.argv[2];
const to = await (await DuckDBInstance.create(":memory:")).connect();
const ask = async (text) => (await to.runAndReadAll(text)).getRowObjectsJson();
const duck = await ask(`select name, count(dur_ns)::int calls, count(errno)::int errors, sum(dur_ns)::bigint ns_total,
  sum(bytes)::bigint bytes, quantile_disc(dur_ns, 0.5)::bigint p50,
  quantile_disc(dur_ns, 0.99)::bigint p99, max(dur_ns)::bigint most
  from '${file}' group by name`);
const types = await ask(`describe select * from '${file}'`);
const remarks = await ask(`select key::varchar k, value::varchar v from parquet_kv_metadata('${file}')`);
const bytes = fs.readFileSync(file);
const all = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const rows = await h.parquetReadObjects({file: all, compressors});
const hypa = {};
for (const row of rows) {
  const one = hypa[row.name] ??= {calls: 0, errors: 0, ns_total: 0, bytes: 0};
  if (row.dur_ns !== null && row.dur_ns !== undefined) { one.calls += 1; one.ns_total += Number(row.dur_ns); }
  if (row.errno) one.errors += 1;
  one.bytes += Number(row.bytes);
}
console.log(JSON.stringify([duck, hypa, types, remarks]));
""", file)
    for field in ("calls", "errors", "ns_total", "bytes"):
        equal(f"DuckDB's {field}", views.column(field),
              {row["name"]: int(row[field]) for row in duck if int(row[field] or 0)})
        equal(f"hyparquet's {field}", views.column(field),
              {name: row[field] for name, row in hypa.items() if row[field]})
    for row in duck:
        ours = views.rows.get(row["name"])
        for theirs, mine in (("p50", "ns_p50"), ("p99", "ns_p99")) if ours else ():
            check(f"DuckDB's {theirs} of {row['name']} is within 1 %",
                  int(row[theirs]) * 0.99 - 1 <= ours[mine] <= int(row[theirs]) * 1.01 + 1, (row, ours))
        check("the longest is the same", not ours or int(row["most"]) == ours["ns_max"], (row, ours))
    kinds = {one["column_name"]: one["column_type"] for one in types}
    check("times are times", kinds["ts"].startswith("TIMESTAMP"), kinds)
    check("the file says what is missing", any(one["k"].startswith("sctrace.") for one in remarks), remarks)


def json_lines(views):
    need_programs(["jq"])
    file = views.export("json")
    rows = json.loads(said(["jq", "-s", """[.[] | select(.type == "call")] | group_by(.name) | map({name: .[0].name,
        calls: map(select(.duration_ns != null)) | length, errors: map(select(.error)) | length,
        ns_total: map(.duration_ns // 0) | add})""", file]))
    for field in ("calls", "errors", "ns_total"):
        equal(f"jq's {field}", views.column(field), {row["name"]: row[field] for row in rows if row[field]})
    check("what is missing is the last line", json.loads(open(file).readlines()[-1])["type"] == "losses")
    check("a child's end is told", said(["jq", "-r", 'select(.type == "exit") | .status', file]).split() == ["0", "0"])
