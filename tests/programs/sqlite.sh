# sqlite3: transactions in both journal modes, an index, a rollback, an integrity check.
# needs: sqlite3
# sees: fcntl pwrite64 fdatasync,fsync
for mode in delete wal; do
  sqlite3 $mode.db <<END
pragma journal_mode=$mode;
create table t(id integer primary key, word text, n int);
begin;
with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
  insert into t select i, 'word' || (i * 7919 % 10007), i % 97 from c;
commit;
create index by_word on t(word);
begin; delete from t where n = 3; rollback;
update t set n = n + 1 where id % 2 = 0;
select count(*), sum(n), min(word), max(word) from t;
select word from t where word like 'word99%' order by word limit 5;
vacuum;
pragma integrity_check;
END
  echo "sqlite3 $?"
done
sqlite3 delete.db 'select nothing from nowhere'
echo "sqlite3 $?"
sqlite3 delete.db .dump | cksum
