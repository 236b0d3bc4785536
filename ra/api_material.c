/*
 * Materials of a request.
 */
#include "ra/api.h"

#include "ra/request.h"

#define MAX_BASE64 (960u * 1024u)

static const struct rpc_param material_put_params[] = {
	REQUEST,
	TEXT("name", true, 1, 47, "材料名称", "name of the material"),
	TEXT("content", true, 4, MAX_BASE64, "文件内容（base64）", "the file, base64"),
	{0}};
static const struct rpc_param material_get_params[] = {
	REQUEST,
	TEXT("name", true, 1, 47, "材料名称", "name of the material"),
	TEXT("sha256", true, 64, 64, "SHA-256", "its SHA-256"),
	TEXT("session", false, 1, 128, "会话", "the owner's session; officers need none"),
	{0}};

static const struct desk_method methods[] = {
	METHOD("material.put", material_put, MODE_OWN, OWNER, true, true, false, material_put_params,
	       OBJECT(STR("sha256")), "上传材料", "add a material (PDF, JPEG, PNG) to a draft"),
	METHOD("material.get", material_get, MODE_OWN, OWNER | DESK_OFFICER, false, false, false, material_get_params,
	       OBJECT(STR("request") "," STR("name") "," STR("type") "," STR("content")), "下载材料",
	       "a material, for its owner or an officer"),
};

static const struct rpc_message messages[] = {
	{"material_unknown", "本业务不需要这种材料", "this material is not asked for"},
	{"material_missing", "没有找到这份材料", "there is no such material"},
	{"material_type", "只接受 PDF、JPEG 或 PNG 文件", "only PDF, JPEG and PNG files are taken"},
	{"material_form", "文件不完整或格式有误", "the file is cut short or not as its kind should be"},
	{"material_pixels", "图片尺寸过大", "the image has too many pixels"},
	{"material_hidden", "文件末尾或内部含有其他内容，请重新扫描或另存后上传",
	 "there is something else in the file or behind it: scan or save it anew"},
	{"material_active", "PDF 含有脚本、附件、密码或无法检查的内容，请打印为 PDF 后上传",
	 "the PDF has scripts, files inside, a password, or what can't be looked at: print it to PDF anew"},
	{"material_size", "文件过大", "the file is too large"},
	{"material_content", "文件内容编码不正确", "the content is no base64"},
	{"materials", "材料数量过多", "too many materials"},
};

DESK_PART(api_material, methods, messages);
