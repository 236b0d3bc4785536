/*
 * One table of words. Materials and attributes are the policy's to name; materials of the guide have titles here, attributes
 * of a certificate's subject where they are known (common/pki/name.c).
 */
#include "ra/title.h"

#include "common/pki/name.h"

#include <string.h>

static const struct {
	const char *name;
	bool field;
	struct bilingual title;
} titles[] = {
	{"registration-form", false, {"机构电子签名认证证书业务登记表", "registration form"}},
	{"agent-id-card", false, {"经办人身份证", "agent's ID card"}},
	{"business-licence", false, {"营业执照", "business licence"}},
	{"change-proof", false, {"工商变更证明", "proof of the change at the registry"}},
	{"risk-notice", false, {"证书业务风险告知函（盖章扫描件）", "risk notice, stamped and scanned"}},
	{"recovery-waiver", false, {"放弃恢复证书声明", "written waiver of the recovery"}},
	{"legalRepresentative", false, {"法定代表人", "legal representative"}},
	{"months", true, {"延期月数", "months to extend"}},
	{"order", true, {"已付款的订单", "paid order"}},
	{"files", true, {"是否还有加密文件尚未开标", "answer whether encrypted files are not yet opened"}},
	{"notice", true, {"接受证书业务风险告知函", "risk notice accepted"}},
	{"key", true, {"新密钥", "new key"}},
	{"delivery", true, {"寄送信息", "delivery of the USB key"}},
	{"reason", true, {"吊销原因", "reason of the revocation"}},
	{"other", true, {"其他", "other"}},
};

struct bilingual title_of(const char *name)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (strcmp(titles[i].name, name) == 0)
			return titles[i].title;
	}
	const struct attr_type *type = attr_by_word(name, strlen(name));
	if (type)
		return (struct bilingual){type->zh, type->en};
	return (struct bilingual){name, name};
}

bool title_is_field(const char *name)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (titles[i].field && strcmp(titles[i].name, name) == 0)
			return true;
	}
	return false;
}
