/*
 * A PKCS#11 library in front of another one, for tests: a token that is pulled out, that lies, or whose PIN is about to
 * lock. The environment says what happens:
 *
 *     HUFU_TEST_PKCS11  path of the library behind
 *     HUFU_TEST_FAULT   "C_Sign=0x32": this call answers that instead
 *     HUFU_TEST_WITHOUT "0x1,0x40": mechanisms that the token does not have
 *     HUFU_TEST_FLAGS   flags added to CK_TOKEN_INFO
 *     HUFU_TEST_LIE     "signature": one bit is another; "length": longer than there was room for; "empty": no bytes;
 *                       "extractable": private keys could leave
 *     HUFU_TEST_CONTROL path of a file that says more while the program runs, a line each: a fault as above, where
 *                       "C_Sign=hang" does not come back while it stands there; "C_GenerateKeyPair=die": the pair is made, and the power goes; "kill=N": once for each N, all sessions end
 *                       (pulled out and plugged in again); "stop=N": once for each N, the library forgets everything (its
 *                       daemon was started again); "serial=TEXT": another token is in the slot
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST front;

/* The value of a line "name=value" in the control file; ret is empty when there is none. */
static const char *control(const char *name, char ret[200])
{
	char text[2000], *save = NULL;
	const char *path = getenv("HUFU_TEST_CONTROL");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	size_t len = strlen(name);
	ret[0] = '\0';
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, name, len) == 0 && line[len] == '=')
			snprintf(ret, 200, "%.199s", line + len + 1);
	return ret;
}

static void hang(const char *call)
{
	char value[200];
	while (strcmp(control(call, value), "hang") == 0)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* What befalls the token behind everybody's back. */
static void happen(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char killed[200], stopped[200];
	char value[200] = "";
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	pthread_mutex_lock(&lock);
	if (*control("kill", value) && strcmp(value, killed) != 0) {
		memcpy(killed, value, sizeof(killed));
		if (real->C_GetSlotList(CK_TRUE, slots, &n) == CKR_OK)
			for (CK_ULONG i = 0; i < n; i++)
				real->C_CloseAllSessions(slots[i]);
	}
	if (*control("stop", value) && strcmp(value, stopped) != 0) {
		memcpy(stopped, value, sizeof(stopped));
		real->C_Finalize(NULL);
	}
	pthread_mutex_unlock(&lock);
}

/* The answer that this call shall give, or CKR_OK. */
static CK_RV fault_of(const char *call)
{
	char value[200];
	const char *said = getenv("HUFU_TEST_FAULT");
	size_t n = strlen(call);
	if (said && strncmp(said, call, n) == 0 && said[n] == '=')
		return strtoul(said + n + 1, NULL, 0);
	if (!getenv("HUFU_TEST_CONTROL"))
		return CKR_OK;
	happen();
	if (strcmp(control(call, value), "hang") == 0)
		hang(call);
	return *value ? strtoul(value, NULL, 0) : CKR_OK;
}

static int lies(const char *about)
{
	const char *said = getenv("HUFU_TEST_LIE");
	return said && strcmp(said, about) == 0;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	const char *flags = getenv("HUFU_TEST_FLAGS");
	char serial[200];
	CK_RV rv = fault_of("C_GetTokenInfo");
	if (rv == CKR_OK)
		rv = real->C_GetTokenInfo(slot, info);
	if (rv == CKR_OK && flags)
		info->flags |= strtoul(flags, NULL, 0);
	if (rv == CKR_OK && *control("serial", serial))
		memcpy(info->serialNumber, "                ", 16),
			memcpy(info->serialNumber, serial, strnlen(serial, 16));
	return rv;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
	const char *without = getenv("HUFU_TEST_WITHOUT");
	for (char *end = NULL; without && *without; without = *end == ',' ? end + 1 : end)
		if (strtoul(without, &end, 0) == type)
			return CKR_MECHANISM_INVALID;
	return real->C_GetMechanismInfo(slot, type, info);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	CK_RV rv = fault_of("C_OpenSession");
	return rv ? rv : real->C_OpenSession(slot, flags, arg, notify, session);
}

static CK_RV init_token(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG n, CK_UTF8CHAR_PTR label)
{
	CK_RV rv = fault_of("C_InitToken");
	return rv ? rv : real->C_InitToken(slot, pin, n, label);
}

static CK_RV init_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	CK_RV rv = fault_of("C_InitPIN");
	return rv ? rv : real->C_InitPIN(session, pin, n);
}

/* "C_SetPIN" answers that instead; "C_SetPIN!" after it was done. */
static CK_RV set_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old, CK_ULONG old_n, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	CK_RV rv = fault_of("C_SetPIN");
	if (rv == CKR_OK)
		rv = real->C_SetPIN(session, old, old_n, pin, n);
	return rv ? rv : fault_of("C_SetPIN!");
}

static CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR list, CK_ULONG n, CK_OBJECT_HANDLE_PTR ret)
{
	CK_RV rv = fault_of("C_CreateObject");
	return rv ? rv : real->C_CreateObject(session, list, n, ret);
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR list, CK_ULONG n)
{
	CK_RV rv = real->C_GetAttributeValue(session, object, list, n);
	for (CK_ULONG i = 0; rv == CKR_OK && lies("extractable") && i < n; i++)
		if (list[i].type == CKA_EXTRACTABLE && list[i].pValue)
			*(CK_BBOOL *)list[i].pValue = CK_TRUE;
	return rv;
}

/* The administrator's has a fault of its own. */
static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	CK_RV rv = fault_of(user == CKU_SO ? "C_Login(SO)" : "C_Login");
	return rv ? rv : real->C_Login(session, user, pin, n);
}

static CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR objects, CK_ULONG max, CK_ULONG_PTR n)
{
	CK_RV rv = fault_of("C_FindObjects");
	return rv ? rv : real->C_FindObjects(session, objects, max, n);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public, CK_ULONG n_public,
		      CK_ATTRIBUTE_PTR private, CK_ULONG n_private, CK_OBJECT_HANDLE_PTR ret_public,
		      CK_OBJECT_HANDLE_PTR ret_private)
{
	char value[200];
	CK_RV rv = fault_of("C_GenerateKeyPair");
	if (rv == CKR_OK)
		rv = real->C_GenerateKeyPair(session, mechanism, public, n_public, private, n_private, ret_public,
					     ret_private);
	if (strcmp(control("C_GenerateKeyPair", value), "die") == 0)
		kill(getpid(), SIGKILL);
	return rv;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault_of("C_SignInit");
	return rv ? rv : real->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR sig_len)
{
	CK_RV rv = fault_of("C_Sign");
	if (rv != CKR_OK)
		return rv;
	rv = real->C_Sign(session, data, n, sig, sig_len);
	if (rv == CKR_OK && lies("signature"))
		sig[*sig_len / 2] ^= 1;
	if (rv == CKR_OK && lies("length"))
		*sig_len = 1ul << 40;
	if (rv == CKR_OK && lies("empty"))
		*sig_len = 0;
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	const char *path = getenv("HUFU_TEST_PKCS11");
	void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
	if (!get || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	front = *real;
	front.C_GetFunctionList = C_GetFunctionList;
	front.C_GetTokenInfo = get_token_info;
	front.C_GetMechanismInfo = get_mechanism_info;
	front.C_OpenSession = open_session;
	front.C_Login = login;
	front.C_InitToken = init_token;
	front.C_InitPIN = init_pin;
	front.C_SetPIN = set_pin;
	front.C_CreateObject = create_object;
	front.C_GetAttributeValue = get_attributes;
	front.C_FindObjects = find_objects;
	front.C_GenerateKeyPair = generate;
	front.C_SignInit = sign_init;
	front.C_Sign = sign;
	*list = &front;
	return CKR_OK;
}
