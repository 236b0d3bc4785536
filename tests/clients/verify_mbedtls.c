/*
 * Verifies with mbedTLS: cases from standard input, see keys.bats; prints NAME, verdict and words, with tabs between.
 * Built by keys.bats, so that nothing else needs the library.
 */
#include <mbedtls/error.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#define FIELDS 8

/* The default one takes no SHA-1 and wants RSA keys of 2048 bits; all curves of ours are in it. */
static void judge(mbedtls_x509_crt *chain, mbedtls_x509_crt *root, mbedtls_x509_crl *crls, const char *name)
{
	char words[512] = "";
	uint32_t flags = 0;
	int code = mbedtls_x509_crt_verify_with_profile(chain, root, crls, &mbedtls_x509_crt_profile_default, NULL,
							&flags, NULL, NULL);
	if (code == 0) {
		printf("%s\tgood\t\n", name);
		return;
	}
	mbedtls_x509_crt_verify_info(words, sizeof words, "", flags);
	for (char *p = words; (p = strchr(p, '\n'));)
		*p = ';';
	/* Revoked, and nothing else is wrong with it. */
	printf("%s\t%s\t%s\n", name, flags == MBEDTLS_X509_BADCERT_REVOKED ? "revoked" : "bad", words);
}

static int unread(const char *name, const char *path, int code)
{
	char words[256];
	mbedtls_strerror(code, words, sizeof words);
	printf("%s\tbad\t%s: %s\n", name, path, words);
	return code;
}

/* field: name, root, issuing or "-", certificate, CRLs. */
static void one_case(char *const *field, int n)
{
	mbedtls_x509_crt chain, root;
	mbedtls_x509_crl crls;
	int code;
	mbedtls_x509_crt_init(&chain);
	mbedtls_x509_crt_init(&root);
	mbedtls_x509_crl_init(&crls);
	if ((code = mbedtls_x509_crt_parse_file(&chain, field[3])) != 0)
		unread(field[0], field[3], code);
	else if (strcmp(field[2], "-") != 0 && (code = mbedtls_x509_crt_parse_file(&chain, field[2])) != 0)
		unread(field[0], field[2], code);
	else if ((code = mbedtls_x509_crt_parse_file(&root, field[1])) != 0)
		unread(field[0], field[1], code);
	for (int i = 4; i < n && code == 0; i++)
		if ((code = mbedtls_x509_crl_parse_file(&crls, field[i])) != 0)
			unread(field[0], field[i], code);
	if (code == 0)
		judge(&chain, &root, n > 4 ? &crls : NULL, field[0]);
	mbedtls_x509_crt_free(&chain);
	mbedtls_x509_crt_free(&root);
	mbedtls_x509_crl_free(&crls);
}

int main(void)
{
	char line[4096];
	while (fgets(line, sizeof line, stdin)) {
		char *field[FIELDS], *rest = line;
		int n = 0;
		line[strcspn(line, "\n")] = '\0';
		while (n < FIELDS && (field[n] = strsep(&rest, "\t")))
			n++;
		if (n < 4) {
			fprintf(stderr, "a case has four fields or more, found %d\n", n);
			return 1;
		}
		one_case(field, n);
	}
	return 0;
}
