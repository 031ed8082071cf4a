#!/bin/sh
# vagrant-user.sh PUBLIC-KEY: in a root file system that is to be a box: what Vagrant wants.
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
# A user's manager has a session keyring of its own for as long as it runs, which is no leak.
# Who comes often has one all the time, for where a machine is emulated its start takes longer
# than the login; the others' ends with their last session, and not 10 s later: what is left
# behind is looked for when it has gone.
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/alice /var/lib/systemd/linger/bob /var/lib/systemd/linger/carol
mkdir -p /etc/systemd/logind.conf.d
printf '[Login]\nUserStopDelaySec=0\n' >/etc/systemd/logind.conf.d/vm.conf
systemctl enable systemd-networkd ssh
# Only the scenario of the display manager starts it.
systemctl disable lightdm
# Timers of the distribution's that would be at work while somebody logs in.
systemctl mask apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer
