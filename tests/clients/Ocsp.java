// Revocation as Java sees it: by its own OCSP client, by a CRL, or from an OCSP answer whose signatures BouncyCastle verifies. Prints good, revoked or what else.
import java.io.FileInputStream;
import java.net.URI;
import java.nio.file.*;
import java.security.Security;
import java.security.cert.*;
import java.util.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;

public class Ocsp {
	public static void main(String[] args) throws Exception { // MODE ROOT ISSUING CERT, URL | CRL | ANSWER
		if (args[0].equals("answer")) {
			System.out.println(answer(args[2], args[3], args[4]));
			return;
		}
		CertificateFactory f = CertificateFactory.getInstance("X.509");
		X509Certificate issuing = read(f, args[2]), cert = read(f, args[3]);
		CertPathValidator v = CertPathValidator.getInstance("PKIX");
		PKIXParameters p = new PKIXParameters(Set.of(new TrustAnchor(issuing, null)));
		PKIXRevocationChecker c = (PKIXRevocationChecker) v.getRevocationChecker();
		if (args[0].equals("ocsp")) {
			c.setOcspResponder(new URI(args[4]));
			c.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
		} else {
			c.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
			p.addCertStore(CertStore.getInstance("Collection",
				new CollectionCertStoreParameters(List.of(f.generateCRL(new FileInputStream(args[4]))))));
		}
		p.addCertPathChecker(c);
		try {
			v.validate(f.generateCertPath(List.of(cert)), p);
			System.out.println("good");
		} catch (CertPathValidatorException e) {
			boolean revoked = e.getReason() == CertPathValidatorException.BasicReason.REVOKED;
			System.out.println(revoked ? "revoked" : "bad: " + e);
		}
	}

	static X509Certificate read(CertificateFactory f, String path) throws Exception {
		try (FileInputStream in = new FileInputStream(path)) {
			return (X509Certificate) f.generateCertificate(in);
		}
	}

	// The answer by the responder's key, the responder's certificate by the issuer's.
	static String answer(String issuing, String cert, String path) throws Exception {
		Security.addProvider(new BouncyCastleProvider());
		CertificateFactory f = CertificateFactory.getInstance("X.509", "BC");
		X509Certificate issuer = read(f, issuing), asked = read(f, cert);
		JcaContentVerifierProviderBuilder by = new JcaContentVerifierProviderBuilder().setProvider("BC");
		BasicOCSPResp r = (BasicOCSPResp) new OCSPResp(Files.readAllBytes(Paths.get(path))).getResponseObject();
		X509CertificateHolder responder = r.getCerts()[0];
		if (!responder.isSignatureValid(by.build(issuer)))
			return "bad: the responder's certificate";
		if (!r.isSignatureValid(by.build(responder)))
			return "bad: the answer";
		SingleResp one = r.getResponses()[0];
		if (!one.getCertID().getSerialNumber().equals(asked.getSerialNumber()))
			return "bad: another certificate";
		Object status = one.getCertStatus();
		return status == CertificateStatus.GOOD ? "good" : status instanceof RevokedStatus ? "revoked" : "bad: " + status;
	}
}
