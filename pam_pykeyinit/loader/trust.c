/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether code may be run: nobody but root can change it, or put something else in its place. */
#include "trust.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

static int is_roots(const struct stat *s)
{
	return !(s->st_uid || s->st_mode & S_IWOTH || (s->st_mode & S_IWGRP && s->st_gid));
}

/* Nobody but root can change what is at this path, or put something else there. */
static int is_safe(const char *path)
{
	char part[PATH_MAX];
	struct stat s;

	snprintf(part, sizeof part, "%s", path);
	for (char *slash;; slash[slash == part] = 0) {
		if (stat(part, &s) || !is_roots(&s))
			return 0;
		if ((slash = strrchr(part, '/')) == NULL || part[1] == 0)
			return slash != NULL;
	}
}

static int unreadable(pam_handle_t *pamh, const char *path)
{
	pam_syslog(pamh, LOG_ERR, "%s: %m", path);
	return 0;
}

static int is_trusted_path(pam_handle_t *pamh, const char *path)
{
	char real[PATH_MAX];

	if (realpath(path, real) == NULL)
		return unreadable(pamh, path);
	if (!is_safe(path) || !is_safe(real)) /* both ways there, where a link is in it */
		pam_syslog(pamh, LOG_ALERT, "not run: %s or a folder above it is not root's alone", path);
	else
		return 1;
	return 0;
}

int is_trusted(pam_handle_t *pamh, const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat s;
	int trusted = 1;

	if (!is_trusted_path(pamh, folder))
		return 0;
	DIR *list = opendir(folder);
	if (list == NULL)
		return unreadable(pamh, folder);
	while (trusted && (entry = readdir(list))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (lstat(path, &s))
			trusted = errno == ENOENT /* an update has just renamed it */ ||
				  unreadable(pamh, path);
		else if (S_ISDIR(s.st_mode))
			trusted = is_trusted(pamh, path);
		else if (S_ISLNK(s.st_mode) || !is_roots(&s))
			trusted = is_trusted_path(pamh, path);
	}
	closedir(list);
	return trusted;
}
