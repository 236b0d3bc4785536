/*
 * Materials: uploads in parts, small files in one call, downloads in parts.
 */
#include "ra/api.h"

#include "ra/material.h"
#include "ra/store_binding.h"

#define PART_BASE64 (MATERIAL_PART / 3 * 4 + 4)
#define BELONGS_TO                                                                                                     \
	TEXT("request", false, 1, REQUEST_ID, "申请编号", "id or number of the request that it belongs to"),           \
		TEXT("case", false, CASE_ID, CASE_ID, "事项编号", "or id of the case (account.licence)")
#define NAME TEXT("name", true, 1, 47, "材料名称", "name of the material")
#define HASH TEXT("sha256", true, 64, 64, "文件的 SHA-256", "SHA-256 of the file, 64 hex characters")
#define UPLOAD TEXT("upload", true, 32, 32, "上传编号", "id of the upload")
#define SESSION TEXT("session", false, 1, 128, "会话", "session of the owner")
#define GOING                                                                                                          \
	STR("upload")                                                                                                  \
	"," INT("part_bytes") "," INT("parts") ",\"have\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}," STR( \
		"dies")
#define ITS STR("name") "," STR("sha256") "," STR("type") "," INT("bytes")

static const struct rpc_param begin_params[] = {
	BELONGS_TO, NAME, HASH, NUMBER("bytes", true, 1, INT64_C(1) << 40, "文件字节数", "its length"), SESSION, {0}};
static const struct rpc_param part_params[] = {
	UPLOAD,
	NUMBER("part", true, 1, MATERIAL_PARTS, "分片序号", "number of the part, from 1"),
	TEXT("content", true, 4, PART_BASE64, "分片内容（base64）", "the part, base64"),
	SESSION,
	{0}};
static const struct rpc_param upload_params[] = {UPLOAD, SESSION, {0}};
static const struct rpc_param put_params[] = {
	BELONGS_TO,
	NAME,
	TEXT("content", true, 4, 960u * 1024u, "文件内容（base64）", "the file, base64"),
	SESSION,
	{0}};
static const struct rpc_param get_params[] = {
	BELONGS_TO,
	NAME,
	HASH,
	NUMBER("part", false, 1, MATERIAL_PARTS, "分片序号", "part of the file, the first when absent"),
	TEXT("session", false, 1, 128, "会话", "the owner's session; officers need none"),
	{0}};
static const struct rpc_param remove_params[] = {BELONGS_TO, NAME, HASH, SESSION, {0}};

static const struct desk_method methods[] = {
	METHOD("material.begin", material_begin, MODE_CHANGE, OWNER, false, true, false, begin_params,
	       OBJECT(GOING "," BOOL("done")), "开始上传材料",
	       "begin the upload of a PDF, JPEG or PNG, or go on with it"),
	METHOD("material.part", material_part, MODE_OWN, OWNER, false, true, false, part_params, OBJECT(GOING),
	       "上传材料的一个分片", "one part of an upload"),
	METHOD("material.finish", material_finish, MODE_OWN, OWNER, false, true, false, upload_params, OBJECT(ITS),
	       "完成上传", "all parts are there: check the file and take it"),
	METHOD("material.abandon", material_abandon, MODE_OWN, OWNER, false, true, false, upload_params,
	       OBJECT(STR("upload")), "放弃上传", "give an upload up"),
	METHOD("material.put", material_put, MODE_OWN, OWNER, false, true, false, put_params, OBJECT(ITS), "上传小文件",
	       "a file of at most 512 KiB in one call"),
	METHOD("material.get", material_get, MODE_OWN, OWNER | DESK_OFFICER, false, false, false, get_params,
	       OBJECT(STR("request") "," STR("case") "," ITS "," INT("part") "," INT("parts") "," STR("content")),
	       "下载材料", "a part of a material, for its owner or an officer"),
	METHOD("material.remove", material_remove, MODE_OWN, OWNER, false, true, false, remove_params, OBJECT(ITS),
	       "删除草稿中的材料", "take a material out of a draft"),
};

static const struct rpc_message messages[] = {
	{"owner_missing", "请指明材料属于哪项申请或事项", "say what the file belongs to"},
	{"material_unknown", "本业务不需要这种材料", "this material is not asked for"},
	{"material_missing", "没有找到这份材料", "there is no such material"},
	{"material_deleted", "保存期限已过，材料已删除", "the material was deleted: its time was over"},
	{"material_damaged", "存储的文件已损坏或被改动，请联系管理员",
	 "the stored file is missing or was altered: tell the administrator"},
	{"material_again", "请重试", "call again"},
	{"material_type", "只接受 PDF、JPEG 或 PNG 文件", "only PDF, JPEG and PNG files are taken"},
	{"material_form", "文件不完整或格式有误", "the file is cut short or not as its kind should be"},
	{"material_pixels", "图片尺寸过大", "the image has too many pixels"},
	{"material_hidden", "文件末尾或内部含有其他内容，请重新扫描或另存后上传",
	 "there is something else in the file or behind it: scan or save it anew"},
	{"material_active", "PDF 含有脚本、附件、密码或无法检查的内容，请打印为 PDF 后上传",
	 "the PDF has scripts, files inside, a password, or what can't be looked at: print it to PDF anew"},
	{"material_size", "文件过大，最大 20 MiB", "the file is too large: 20 MiB at most"},
	{"material_content", "文件内容编码不正确", "the content is no base64"},
	{"material_hash", "文件内容与开始上传时的 SHA-256 不符，请重新上传",
	 "the file is not the one that the upload began with"},
	{"materials", "材料数量过多", "too many materials"},
	{"upload_unknown", "没有找到这次上传", "there is no such upload"},
	{"upload_differs", "同一文件正在以不同的长度上传", "the same file is being uploaded with another length"},
	{"uploads_open", "同时进行的上传过多，请先完成或放弃", "too many uploads at once: finish or abandon one"},
	{"uploads_bytes", "未办结业务的材料总量过大", "too many bytes in matters that are not over"},
	{"part_range", "分片序号超出范围", "there is no such part"},
	{"part_size", "分片长度不正确", "the part has a wrong length"},
	{"part_differs", "该分片已上传，内容不同", "that part is there already, with other bytes"},
	{"parts_missing", "还有分片没有上传", "parts are missing"},
	{"disk_full", "存储空间不足，请稍后再试", "there is no room for files now: try later"},
};

DESK_PART(api_material, methods, messages);
