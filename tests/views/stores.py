"""What databases read: SQLite; DuckDB, hyparquet and ClickHouse; jq."""
import json

from harness import check, equal, need_programs, node, node_modules, said


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


# Each prints a row a call: name, calls, errors, ns_total, bytes, p50, p99, longest.
DUCKDB = """
import { DuckDBInstance } from "@duckdb/node-api";
const to = await (await DuckDBInstance.create(":memory:")).connect();
const ask = async (text) => (await to.runAndReadAll(text)).getRowObjectsJson();
const file = process.argv[2];
console.log(JSON.stringify({
  rows: await ask(`select name, count(dur_ns)::int calls, count(errno)::int errors, sum(dur_ns)::bigint ns_total,
    sum(bytes)::bigint bytes, quantile_disc(dur_ns, 0.5)::bigint p50, quantile_disc(dur_ns, 0.99)::bigint p99,
    max(dur_ns)::bigint longest from '${file}' group by name`),
  types: await ask(`describe select * from '${file}'`),
  remarks: await ask(`select key::varchar k, value::varchar v from parquet_kv_metadata('${file}')`)}));
"""
HYPARQUET = """
import { parquetReadObjects } from "hyparquet"; import { compressors } from "hyparquet-compressors";
import fs from "fs";
const bytes = fs.readFileSync(process.argv[2]);
const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const by = {};
for (const row of await parquetReadObjects({file, compressors})) {
  const one = by[row.name] ??= {name: row.name, calls: 0, errors: 0, ns_total: 0, bytes: 0, times: []};
  if (row.dur_ns !== null && row.dur_ns !== undefined) one.times.push(Number(row.dur_ns));
  if (row.errno) one.errors += 1;
  one.bytes += Number(row.bytes);
}
for (const one of Object.values(by)) {
  one.times.sort((a, b) => a - b);
  one.calls = one.times.length;
  one.ns_total = one.times.reduce((a, b) => a + b, 0);
  one.p50 = one.times[Math.ceil(one.calls * 0.5) - 1];
  one.p99 = one.times[Math.ceil(one.calls * 0.99) - 1];
  one.longest = one.times[one.calls - 1];
  delete one.times;
}
console.log(JSON.stringify({rows: Object.values(by)}));
"""
CHDB = """
import { query } from "chdb";
const rows = query(`select name, count(dur_ns) calls, count(errno) errors, sum(dur_ns) ns_total, sum(bytes) bytes,
  arraySort(groupArray(dur_ns)) times, times[toUInt64(ceil(calls * 0.5))] p50, times[toUInt64(ceil(calls * 0.99))] p99,
  max(dur_ns) longest from file('${process.argv[2]}', Parquet) group by name format JSONEachRow
  settings output_format_json_quote_64bit_integers = 0`);
console.log(JSON.stringify({rows: rows.trim().split("\\n").map((line) => JSON.parse(line))}));
"""


def equal_rows(views, reader, rows):
    for field in ("calls", "errors", "ns_total", "bytes"):
        equal(f"{reader}'s {field}", views.column(field),
              {row["name"]: int(row[field]) for row in rows if int(row[field] or 0)})
    for row in rows:
        ours = views.rows.get(row["name"])
        for theirs, mine in (("p50", "ns_p50"), ("p99", "ns_p99")) if ours else ():
            check(f"{reader}'s {theirs} of {row['name']} is within 1 %",
                  int(row[theirs]) * 0.99 - 1 <= ours[mine] <= int(row[theirs]) * 1.01 + 1, (row, ours))
        check(f"{reader}'s longest is the same", not ours or int(row["longest"]) == ours["ns_max"], (row, ours))
    return {row["name"]: [int(row[one] or 0) for one in ("p50", "p99")] for row in rows if row["name"] in views.rows}


def parquet(views):
    file = views.export("parquet")
    folder = node_modules("@duckdb/node-api", "hyparquet", "hyparquet-compressors")
    duck = node(folder, DUCKDB, file)
    quantiles = equal_rows(views, "DuckDB", duck["rows"])
    equal("quantiles in DuckDB and hyparquet", quantiles,
          equal_rows(views, "hyparquet", node(folder, HYPARQUET, file)["rows"]))
    kinds = {one["column_name"]: one["column_type"] for one in duck["types"]}
    check("times are times", kinds["ts"].startswith("TIMESTAMP"), kinds)
    check("the file says what is missing", any(one["k"].startswith("sctrace.") for one in duck["remarks"]), duck)
    # ClickHouse within Node: half a GiB, so what can be shown without it is shown first.
    folder = node_modules("chdb@3.4.0")
    equal("quantiles in DuckDB and ClickHouse", quantiles,
          equal_rows(views, "ClickHouse", node(folder, CHDB, file)["rows"]))


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
