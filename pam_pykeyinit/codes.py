"""Return codes and flags of Linux-PAM (security/_pam_types.h), as plain numbers.

pam_python accepts only a plain int: it does not take False for PAM_SUCCESS.
"""

PAM_SUCCESS = 0
PAM_USER_UNKNOWN = 10
PAM_SESSION_ERR = 14
PAM_CRED_ERR = 17
PAM_IGNORE = 25

PAM_ESTABLISH_CRED = 0x2
PAM_DELETE_CRED = 0x4
PAM_REINITIALIZE_CRED = 0x8
PAM_REFRESH_CRED = 0x10
