#!/bin/sh
# prepare.sh: in a new root file system, create the users and their ways to log in.
# Every password is "secret"; sshd listens on loopback, or for Vagrant's own user.
set -eu

uid=2001
for user in alice bob carol dave erin frank; do
    # The gid differs from the uid, so that a test notices if they are exchanged.
    groupadd -g $((uid + 100)) "$user"
    useradd -m -s /bin/sh -u $uid -g "$user" "$user"
    echo "$user:secret" | chpasswd
    uid=$((uid + 1))
done
passwd -q --expire dave        # whose password has expired
usermod -L erin                # whose password is locked
usermod -d /nonexistent frank  # who has no home
rm -rf /home/frank

ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/person
chmod 644 /etc/ssh/person.pub
cat >/etc/ssh/sshd_config.d/vm.conf <<'END'
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/person.pub
KbdInteractiveAuthentication yes
ChallengeResponseAuthentication yes
PasswordAuthentication yes
PermitRootLogin yes
MaxStartups 200
LoginGraceTime 0
MaxSessions 200
END
# Wrong passwords are part of the scenarios.
if sshd -T 2>/dev/null | grep -qi '^persourcepenalties'; then
    echo 'PerSourcePenalties no' >>/etc/ssh/sshd_config.d/vm.conf
fi
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
chmod 440 /etc/sudoers.d/alice
