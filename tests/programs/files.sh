# ls -lR, find, tar and gzip over a real tree and over one of our own.
# needs: ls find tar gzip
# sees: openat getdents64 newfstatat
ls -lR /usr/include | cksum
ls -laR /etc/ssl /etc/apt 2>/dev/null | head -n 200
find /usr/include -name '*.h' -size +40k | sort
find /usr/lib -maxdepth 2 -newer /usr/include -type d -empty | sort | cksum
mkdir -p tree/a/b tree/c
i=0
while [ $i -lt 60 ]; do
  echo "line $i" >tree/a/b/$i.txt
  i=$((i + 1))
done
ln -s a/b tree/link
ln tree/a/b/1.txt tree/c/hard
tar -C tree --sort=name --mtime=@0 --owner=0 --group=0 -cf - . | gzip -n9 >tree.tar.gz
mkdir unpacked
gzip -dc tree.tar.gz | tar -C unpacked -xf -
diff -r tree unpacked && echo same
tar -czf - -C /usr/include linux 2>&1 | gzip -dc | wc -c
find unpacked -type f -exec sh -c 'cksum "$@"' sh {} + | sort | cksum
find unpacked -name '*7.txt' -delete
ls -li nothing-here
echo "status $?"
