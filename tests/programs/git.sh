# git: init, commit, branch, merge, clone, gc, fsck.
# needs: git
# sees: openat rename,link
# varies: repo/.git/index copy/.git/index copy/.git/logs/* copy/.git/packed-refs
export GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
git -c init.defaultBranch=main init -q repo && cd repo
git config gc.auto 0
git config pack.threads 2
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  seq $((i * 400)) >file$i
  git add . && git commit -q -m "number $i"
done
git checkout -q -b side HEAD~3
echo side >side && git add side && git commit -q -m side
git checkout -q main
git merge -q -m merged side
git log --oneline --graph | cat
git diff --stat HEAD~5 | tail -n 1
git gc -q --prune=now
git fsck --full
echo "fsck $?"
git count-objects -v | grep -v size
cd ..
git clone -q repo copy 2>&1
git -C copy log --format=%H -1
git -C copy status --short
git -C copy rev-parse nothing
echo "rev-parse $?"
