# node: files, workers, child processes, timers, a web server and its client.
# needs: node
# sees: epoll_wait,epoll_pwait write
# seconds: 90
cat >job.js <<'END'
const fs = require('fs'), cp = require('child_process'), http = require('http');
const { Worker } = require('worker_threads');
fs.writeFileSync('out', 'x'.repeat(100000));
console.log(fs.statSync('out').size, fs.readFileSync('out').length);
console.log(cp.execFileSync('sh', ['-c', 'echo from sh; exit 0']).toString().trim());
const s = cp.spawnSync('sh', ['-c', 'cat; echo err >&2; exit 5'], { input: 'through' });
console.log(s.status, s.stdout.toString(), s.stderr.toString().trim());
async function main() {
  const sums = await Promise.all([1, 2, 3].map(n => new Promise(ok => {
    const w = new Worker(`const {parentPort: p} = require('worker_threads'); let t = 0;
      for (let i = 0; i < 1e5; i++) t += i * ${n}; p.postMessage(t);`, { eval: true });
    w.on('message', ok); })));
  console.log(sums);
  const files = await Promise.all([...Array(40).keys()].map(async i => {
    await fs.promises.writeFile(`f${i}`, String(i)); return (await fs.promises.readFile(`f${i}`)).length; }));
  console.log(files.join(''));
  const server = http.createServer((q, r) => r.end('you asked ' + q.url)).listen(0, '127.0.0.1');
  await new Promise(ok => server.on('listening', ok));
  for (const path of ['/a', '/b']) await new Promise(ok =>
    http.get({ port: server.address().port, host: '127.0.0.1', path, agent: false }, r => {
      let d = ''; r.on('data', x => d += x); r.on('end', () => { console.log(r.statusCode, d); ok(); }); }));
  server.close();
  const child = cp.spawn('sleep', ['100']);
  setTimeout(() => child.kill(), 20);
  await new Promise(ok => child.on('exit', (code, sig) => { console.log(code, sig); ok(); }));
  process.exitCode = 7;
}
main();
END
node job.js
echo "node $?"
node -e 'throw new TypeError("thrown")' 2>&1 | grep TypeError
node -p '[1, 2, 3].map(x => x * x)'
