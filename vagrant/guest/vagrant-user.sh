#!/bin/sh
# vagrant-user.sh PUBLIC-KEY: prepare a root file system as a box for Vagrant.
set -eu
useradd -m -s /bin/bash vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 600 -o vagrant -g vagrant "$1" /home/vagrant/.ssh/authorized_keys
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
chmod 440 /etc/sudoers.d/vagrant
echo '/dev/vda / ext4 defaults,noatime 0 1' >/etc/fstab
echo vm >/etc/hostname
echo '127.0.1.1 vm' >>/etc/hosts
cat >/etc/systemd/network/80-dhcp.network <<'END'
[Match]
Name=en* eth*
[Network]
DHCP=ipv4
END
# A user's manager has a session keyring of its own while it runs, which is no leak.  Users with
# many logins have a permanent manager, because its start on an emulated machine takes longer than
# the login.  The managers of the others end with their last session, not 10 s later: the remaining
# keyrings are counted after that.
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/alice /var/lib/systemd/linger/bob /var/lib/systemd/linger/carol
mkdir -p /etc/systemd/logind.conf.d
printf '[Login]\nUserStopDelaySec=0\n' >/etc/systemd/logind.conf.d/vm.conf
systemctl enable systemd-networkd ssh
# Only the scenario of the display manager starts it.
systemctl disable lightdm
# Timers of the distribution that would run during a login.
systemctl mask apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer
